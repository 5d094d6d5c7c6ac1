/** Why a browser does not dial: it tells pages nothing of it, so what is known besides is looked at. */
import { addressKind } from '../protocol/address-kind.ts'
import { MeshError } from '../protocol/errors.ts'

/** RFC 1122, 1918, 3927, 4193, 4291, 6598: what Chromium's Local Network Access asks the visitor about. */
const LOCAL =
  /^\/(ip4\/(127\.|10\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.|169\.254\.|100\.(6[4-9]|[789]\d|1[01]\d|12[0-7])\.)|ip6\/(::1\/|f[cd]|fe[89ab])|dns[46]?\/(localhost|[^/]+\.local)\/)/i

/** Chromium has asked under the first of these names, and asks under the others since. Elsewhere none of them is known. */
const PERMISSIONS = ['local-network-access', 'local-network', 'loopback-network']

const isDenied = async (): Promise<boolean> => {
  const states = await Promise.all(
    PERMISSIONS.map((name) =>
      navigator.permissions.query({ name: name as PermissionName }).then(
        ({ state }) => state,
        () => 'unknown',
      ),
    ),
  )
  return states.includes('denied')
}

/** For the failure of a dial: throws it with the reason that a visitor understands, or as it is. */
export const refusedBy =
  (address: string) =>
  async (cause: unknown): Promise<never> => {
    if (!(cause instanceof MeshError)) throw cause
    if (cause.code === 'E_ADDRESS' && location.protocol === 'https:' && addressKind(address) === 'ws') {
      const message = `${address} is not encrypted, and a browser lets a page that came by https connect to nothing that is not; give it an address with /tls/ws or /webrtc-direct`
      throw new MeshError('E_ADDRESS', { message, address }, { cause })
    }
    if (cause.code === 'E_UNREACHABLE' && LOCAL.test(address) && (await isDenied())) {
      const message = `this browser was not allowed to reach the local network, where ${address} is; allow this page to, in the site settings beside its address, and try again`
      throw new MeshError('E_UNREACHABLE', { message, address }, { cause })
    }
    if (cause.code !== 'E_UNREACHABLE') throw cause
    // Browsers tell scripts no more: https://websockets.spec.whatwg.org/#feedback-from-the-protocol.
    const message = `nothing answers at ${address.replace(/\/p2p\/.*/, '')}`
    throw new MeshError('E_UNREACHABLE', { message, address }, { cause })
  }

const isDialable = (address: string): boolean => {
  const kind = addressKind(address)
  return kind !== 'tcp' && kind !== 'other' && !(kind === 'ws' && location.protocol === 'https:')
}

/** Of the addresses of one mesh those that this page may dial; all of them where there are none, since each says why. */
export const dialableOf = (addresses: readonly string[]): readonly string[] => {
  const some = addresses.filter(isDialable)
  return some.length > 0 ? some : addresses
}
