// The first file of StorageTests takes this one's place.
