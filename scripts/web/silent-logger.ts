/** `@libp2p/logger` as pages have it: a page has nobody who reads what libp2p traces. What a peer does, our own log tells. */
import type { ComponentLogger, Logger } from '@libp2p/interface'

const silent: Logger = Object.assign(() => {}, {
  enabled: false,
  error: () => {},
  trace: () => {},
  newScope: () => silent,
})

export const logger = (): Logger => silent

export const defaultLogger = (): ComponentLogger => ({ forComponent: logger })
