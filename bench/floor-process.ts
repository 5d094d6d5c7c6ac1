/** The other process of the floor: hands each message to a worker thread and sends back what that answers. */
import { Worker } from 'node:worker_threads'
import { createFloorNode, FLOOR_PROTOCOL, frame, onFrames } from './floor.ts'

const worker = new Worker(new URL('./floor-worker.ts', import.meta.url))
const waiting = new Map<number, (payload: Uint8Array) => void>()
let next = 0
worker.on('message', ({ key, payload }: { key: number; payload: Uint8Array }) => {
  waiting.get(key)?.(payload)
  waiting.delete(key)
})

const node = await createFloorNode(true)
await node.handle(FLOOR_PROTOCOL, (stream) => {
  onFrames(stream, (id, payload) => {
    const key = next++
    waiting.set(key, (answer) => stream.send(frame(id, answer)))
    worker.postMessage({ key, payload })
  })
})
process.send?.(node.getMultiaddrs().map(String)[0])
process.on('disconnect', () => process.exit())
