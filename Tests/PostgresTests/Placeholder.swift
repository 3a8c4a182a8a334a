// The first file of PostgresTests takes this one's place.
