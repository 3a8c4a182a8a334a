// The first file of the PrivateCluster module takes this one's place.
