/** For a script tag: `eaPlugins.autocapture`, to be given to `init` as one of its `plugins`. */

import { autocapture } from "./autocapture.js";

const host = window as { eaPlugins?: object };
host.eaPlugins = { ...host.eaPlugins, autocapture };
