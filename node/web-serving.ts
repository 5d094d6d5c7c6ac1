/** What answers HTTP on the port of an agent's WebSockets. Apart from what listens there, which is heavy to load. */
import type { RequestListener } from 'node:http'

export interface Certificate {
  key: string
  cert: string
}

export interface RenewedCertificate extends Certificate {
  /** Called by each listener, to be handed what takes the place of these. */
  onRenewal?: (apply: (next: Certificate) => void) => void
}

/** What the HTTP side of an agent answers with, and its certificate where it listens on `/tls/ws`: both PEM. */
export interface WebServing {
  serve?: RequestListener | undefined
  tls?: RenewedCertificate | undefined
}
