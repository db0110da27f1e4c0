"""What linear models and networks share where units leave while they train: numpy alone."""
