"""What an instructor makes from the reference: the students' template, tried checks, calibrated bounds."""
