import binaryen from 'binaryen'

/** A module from its text, with all features that there are. */
export const parsed = (text: string): Uint8Array => {
  const module = binaryen.parseText(text)
  module.setFeatures(binaryen.Features.All)
  const bytes = module.emitBinary()
  module.dispose()
  return bytes
}
