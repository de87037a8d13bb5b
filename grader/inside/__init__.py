"""The only code of ours that runs beside the student's: stdlib, numpy and IPython only."""
