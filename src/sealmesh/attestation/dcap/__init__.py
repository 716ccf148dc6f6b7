"""What SGX and TDX share: Intel's Data Center Attestation Primitives (DCAP).

Quote framing and signature data, PCK certificate chain, revocation lists, TCB info, QE identity.
"""
