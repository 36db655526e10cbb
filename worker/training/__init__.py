"""Training: makes every model that ships, from data folders given as arguments.

Needs the packages of `requirements.txt` in this folder, linear models only those of
`requirements-linear.txt`; none of it is in the image.
"""
