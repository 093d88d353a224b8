import { render } from "preact";
import "./style/base.css";
import "./style/parts.css";
import "./style/layout.css";
import "./style/events.css";
import { keepFocus } from "./focus.ts";
import { followAddress } from "./place.ts";
import { apiKey, signIn } from "./session.ts";
import { Shell } from "./shell.tsx";

followAddress((key) => void signIn(key));
if (apiKey.value !== undefined) void signIn(apiKey.value);
const root = document.getElementById("app") ?? document.body;
keepFocus(root);
render(<Shell />, root);
