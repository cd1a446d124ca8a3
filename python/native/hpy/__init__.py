"""HPy for an interpreter that has an HPy of its own.

A package with this file comes before the folder of the same name that PyPy has in its library.
"""
