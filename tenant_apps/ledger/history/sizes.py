"""How much is read at most, in transfers, before a snapshot answers."""

# Balances with fewer transfers have no snapshots: reading them whole is as quick.
DEEP = 256
# A snapshot about every so many versions of a balance.
BLOCK = 128
# So many transfers, of all balances, are one segment of what became known.
SEGMENT = 512
