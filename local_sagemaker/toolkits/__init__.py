"""What AWS's images run around a user's script, and in its place: run by the interpreter that stands for the image.

Each file here that has a main is started as a file. It imports the standard library, its neighbours and what the
image itself has; nothing else of local SageMaker, which that interpreter need not have.
"""
