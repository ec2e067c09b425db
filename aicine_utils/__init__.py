"""Shared helpers of the AI-CINE study. Imports run one way:

columns, errors, parameters, settings → data → splits → metrics → models → experiment → findings → report → pipeline
→ cli, notebook
"""

__version__ = "0.1.0"
