"""What an instructor makes from the reference: the students' template, and calibrated bounds."""
