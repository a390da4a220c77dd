"""The cases of bench.py, a file each; what they share is in measure.py, clips.py, peers.py and quality.py."""
