"""Files of counts and of audiences by country: from their bytes to the cycle, one module a step."""
