"""Everything of the Coordinator that touches the world, one subpackage per port."""
