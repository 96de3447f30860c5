"""From frames and waves to what networks take; the only package with torchaudio and librosa."""
