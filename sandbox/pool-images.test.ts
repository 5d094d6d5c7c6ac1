import { describe, expect, test } from 'vitest'
import { limits } from './fixture.ts'
import { done, world } from './pool-fixture.ts'

describe('a pool', () => {
  test('hands a process the image that there is, once, and the code if it lacks that', async () => {
    const { processes, run, settle, codeAsked } = world()
    const file = Uint8Array.of(0, 7)
    const image = () => file
    run({ image })
    run({ image })
    await settle()
    const [process] = processes
    expect([process?.images, process?.sentFrames]).toEqual([[file], 2])
    expect(process?.commands.map(([kind]) => kind)).toEqual(['image', 'runs'])
    expect(process?.of('image')).toEqual([['image', 'f', limits.memory_bytes]])
    expect(codeAsked()).toBe(0)
    process?.report(['lacks', 1])
    await settle()
    expect(process?.commands.slice(2).map(([kind]) => kind)).toEqual(['code', 'runs'])
    expect([process?.images.length, codeAsked()]).toEqual([1, 1])
  })

  test('takes an image of the first function of a process alone', async () => {
    const { processes, run, settle, images } = world()
    const first = run()
    await settle()
    processes[0]?.report(done(1), ['image', 64, 'f', Uint8Array.of(1)])
    await first.result
    const second = run({ functionId: 'g' })
    await settle()
    processes[0]?.report(done(2), ['image', 64, 'g', Uint8Array.of(2)], ['image', 64, 'f', Uint8Array.of(3)])
    await second.result
    expect(images).toEqual(['f 64 1'])
  })

  test('ends a process that tells of an image of what it was not given', async () => {
    const { processes, run, settle } = world()
    run()
    await settle()
    processes[0]?.report(['image', 64, 'g', Uint8Array.of(1)])
    expect(processes[0]?.killed).toBe(true)
  })
})
