"""Looks at files that nobody described, and drafts how a profile reads them."""
