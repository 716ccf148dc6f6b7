"""What goes over the network: REST shapes, protocol buffers and generated code."""
