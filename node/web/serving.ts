/** What an agent that listens on WebSockets is for browsers. Others load nothing of this. */
import { fileURLToPath } from 'node:url'
import { addressKind, originOfAddress } from '../../protocol/address-kind.ts'
import { ownAddresses } from '../interfaces.ts'
import type { Certificate, WebServing } from '../web-serving.ts'
import { keptCertificate } from './certificate.ts'
import { loadWebFiles } from './files.ts'
import { createWebHandler } from './handler.ts'
import { createPhone } from './phone.ts'

/** In the checkout, and beside what is published. */
const FOLDER = import.meta.url.endsWith('.ts') ? '../../browser-agent/dist' : './web'

/** What the owner is told of it. */
export interface WebStatus {
  /** Where the files are served, such as `https://192.0.2.1:4002`; the likeliest to be reached by others first. */
  origins: string[]
  loader: string
  integrity: string
}

export interface Web {
  readonly serving: WebServing
  /** `addresses`: of the agent, as multiaddrs. */
  status(addresses: readonly string[]): WebStatus
  /** What a phone is to open, of those `origins`: as good as a ticket. Undefined if none of them has TLS. */
  phoneUrl(origins: readonly string[]): string | undefined
  /** Sees to it that the certificate is for the addresses that there are, and not near its end. */
  renew(nowMs: number): void
}

export interface WebOptions {
  /** The data directory. */
  data: string
  listen: readonly string[]
  peer: string
  invite: () => Promise<string>
  nowMs: number
}

const LOOPBACK = ['127.0.0.1', '::1']
/** Of several networks, that of a home is where a phone is. */
const NEAREST_FIRST = [/\/\/192\.168\./, /\/\/10\./, /\/\/(?!localhost|127\.|\[::1)/]

const rankOf = (origin: string): number => {
  const place = NEAREST_FIRST.findIndex((pattern) => pattern.test(origin))
  return place < 0 ? NEAREST_FIRST.length : place
}

const originsOf = (addresses: readonly string[]): string[] => {
  const origins = new Set(addresses.flatMap((address) => originOfAddress(address) ?? []))
  return [...origins].sort((a, b) => rankOf(a) - rankOf(b))
}

const openCertificate = (data: string, nowMs: number) => {
  const find = (nowMs: number) => keptCertificate(data, [...LOOPBACK, ...ownAddresses()], nowMs)
  const listeners: ((next: Certificate) => void)[] = []
  let current = find(nowMs)
  const renew = (nowMs: number): void => {
    const next = find(nowMs)
    if (next.cert === current.cert) return
    current = next
    for (const apply of listeners) apply(next)
  }
  return { tls: { ...current, onRenewal: (apply: (next: Certificate) => void) => void listeners.push(apply) }, renew }
}

/** Throws MeshError E_STORAGE where the files of the browser agent are missing. */
export const openWeb = ({ data, listen, peer, invite, nowMs }: WebOptions): Web => {
  const files = loadWebFiles(fileURLToPath(new URL(FOLDER, import.meta.url)))
  const { loader, integrity } = files
  const phone = createPhone({ files, peer, invite })
  const serve = createWebHandler({ files, peer, page: (path, origin) => phone.answer(path, origin) })
  const isSecure = listen.some((address) => addressKind(address) === 'wss')
  const certificate = isSecure ? openCertificate(data, nowMs) : undefined
  return {
    serving: { serve, tls: certificate?.tls },
    renew: (nowMs) => certificate?.renew(nowMs),
    status: (addresses) => ({ origins: originsOf(addresses), loader, integrity }),
    phoneUrl: (origins) => {
      const secure = origins.find((origin) => origin.startsWith('https:'))
      return secure && secure + phone.path
    },
  }
}
