"""How a lesson is shown: the frame, the stage, the player and the pictures."""
