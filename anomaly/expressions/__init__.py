"""Arithmetic of columns that every engine does alike: exact means, instants, texts."""
