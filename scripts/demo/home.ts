/** The demo as a home: a peer of the mesh that lends nothing and knows nobody yet, with one function published. */
import { sdkHost } from '../../node/sdk-host.ts'
import type { LogEventName, LogFields } from '../../protocol/log.ts'
import type { Manifest } from '../../protocol/records.ts'
import type { Backend } from '../../sdk/backend.ts'
import { functionBundleOf } from '../../sdk/function-bundle.ts'
import { createJoinedPeer } from '../../sdk/own-peer.ts'

export interface Home {
  backend: Backend
  functionCid: string
  manifest: Manifest
}

/** `heard`: told what the peer logs. */
export const connectHome = async (
  ticket: string,
  source: string,
  heard: (event: LogEventName, fields: LogFields) => void = () => {},
): Promise<Home> => {
  const ports: typeof sdkHost.ports = async (options) => {
    const given = await sdkHost.ports(options)
    const event = (name: LogEventName, fields: LogFields = {}) => {
      given.log.event(name, fields)
      heard(name, fields)
    }
    return { ...given, log: { event } }
  }
  const [backend, { bundle }] = await Promise.all([
    createJoinedPeer({ ...sdkHost, ports }, [ticket]),
    sdkHost.bundle(source),
  ])
  const { cid, manifest } = await backend.publish(functionBundleOf(bundle))
  return { backend, functionCid: cid, manifest }
}
