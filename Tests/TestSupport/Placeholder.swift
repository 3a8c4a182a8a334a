// The first file of TestSupport takes this one's place.
