"""Kernel modules of the folder above, compiled for processors of the level x86-64-v3."""
