// The first file of the Storage module takes this one's place.
