/** The floor of `join`: a process that has loaded what a peer of a mesh is made of, and does nothing with it. */
import '../node/sdk.ts'
import '../node/network.ts'
import '../peer/index.ts'

process.send?.({ answered: true })
process.disconnect?.()
