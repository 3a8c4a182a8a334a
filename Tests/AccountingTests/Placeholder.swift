// The first file of AccountingTests takes this one's place.
