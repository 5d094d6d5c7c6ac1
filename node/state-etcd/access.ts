/** How the nodes of an etcd are reached: over TLS, and by a name and a password, where that is asked for. */
import { Agent, type ClientRequest, type RequestOptions, request } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'

export interface EtcdCredentials {
  /** PEM: who vouches for the nodes (else who does for the web), and what they are shown. */
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined
  user?: { name: string; password: string } | undefined
}

/** Of requests under way to one node. */
const SOCKETS_MAX = 64

export class Access {
  readonly #credentials: EtcdCredentials
  readonly #agents: { http: Agent; https: Agent }
  /** What the name and the password were exchanged for. */
  #token: string | undefined

  constructor(credentials: EtcdCredentials) {
    this.#credentials = credentials
    const options = { keepAlive: true, maxSockets: SOCKETS_MAX }
    this.#agents = { http: new Agent(options), https: new SecureAgent({ ...options, ...credentials.tls }) }
  }

  /** Name and password, as long as they have to be exchanged first. */
  get owed(): { name: string; password: string } | undefined {
    return this.#token === undefined ? this.#credentials.user : undefined
  }

  admitted(token: string): void {
    this.#token = token
  }

  /** The token is none any more: they live for some minutes. */
  expired(): void {
    this.#token = undefined
  }

  /** A request yet to be ended. `alone`: on a connection of its own. */
  post(url: URL, { alone, signal }: { alone: boolean; signal: AbortSignal }): ClientRequest {
    const headers = { 'content-type': 'application/json', ...(this.#token && { authorization: this.#token }) }
    const options: RequestOptions = { method: 'POST', headers, signal }
    if (url.protocol === 'http:') return request(url, { ...options, agent: alone ? false : this.#agents.http })
    return secureRequest(url, { ...options, ...this.#credentials.tls, agent: alone ? false : this.#agents.https })
  }

  close(): void {
    this.#agents.http.destroy()
    this.#agents.https.destroy()
  }
}
