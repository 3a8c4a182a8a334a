// The first file of the Close module takes this one's place.
