"""What the side-by-side runs share: servers on loopback, made pages, and children whose use is measured.

It knows nothing of any one benchmark and prints nothing; the scripts beside this folder do.
"""
