"""FFV1 (RFC 9043, version 3) for palette pictures, encoded several times as fast as by a general encoder."""
