import { expect, test } from 'vitest'
import { bundle } from '../../sdk/bundle/bundle.ts'
import { evaluate } from '../../sdk/bundle/evaluate.ts'
import hello from './hello.ts'

test('says hello, here and in the engine', async () => {
  expect(hello({ name: 'Ada' })).toEqual({ text: 'Hello, Ada' })
  const { code, name, exports, effects } = await bundle(new URL('./hello.ts', import.meta.url))
  expect({ name, exports, effects }).toEqual({ name: 'hello', exports: ['default'], effects: [] })
  expect(await evaluate(code, 'module.default({ name: "Ada" })')).toEqual({ text: 'Hello, Ada' })
})
