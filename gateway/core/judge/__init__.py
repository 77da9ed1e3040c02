"""The judgement of a case: who may be tried by the fast track, and whether the file is complete."""
