// The first file of the Import module takes this one's place.
