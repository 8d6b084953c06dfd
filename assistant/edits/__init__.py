"""CHANGE: from a reply to a patch, from a patch to the disk and back."""
