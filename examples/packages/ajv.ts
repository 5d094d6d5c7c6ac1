/** ajv: JSON Schema, compiled to a function when the module loads. */
import { Ajv } from 'ajv'

const validate = new Ajv({ allErrors: true }).compile({
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1 },
    port: { type: 'integer', minimum: 1, maximum: 65_535 },
    tags: { type: 'array', items: { type: 'string' }, uniqueItems: true },
  },
  required: ['name', 'port'],
  additionalProperties: false,
})

export default function check(configs: unknown[]) {
  return configs.map((config) =>
    validate(config)
      ? 'valid'
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`),
  )
}
