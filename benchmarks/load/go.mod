module sealmesh/load

go 1.21
