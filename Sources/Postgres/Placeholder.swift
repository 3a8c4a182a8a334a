// The first file of the Postgres module takes this one's place.
