/** What an agent that carries for others says of it. */
export interface RelayStatus {
  /** Peers that can be reached through this one now. */
  reservations: number
  reservations_max: number
  /** Connections carried now. */
  circuits: number
  circuits_max: number
  /** Of one connection, both ways together; then it ends. */
  circuit_bytes_max: number
  circuit_ms_max: number
}
