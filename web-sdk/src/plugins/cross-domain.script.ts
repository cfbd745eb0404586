/** For a script tag: `eaPlugins.crossDomain`, to be given to `init` as one of its `plugins`. */

import { crossDomain } from "./cross-domain.js";

const host = window as { eaPlugins?: object };
host.eaPlugins = { ...host.eaPlugins, crossDomain };
