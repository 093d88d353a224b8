import { render } from "preact";
import "../style/base.css";
import "../style/parts.css";
import "../style/portal.css";
import { beginSession } from "./session.ts";
import { Portal } from "./shell.tsx";

beginSession();
render(<Portal />, document.getElementById("app") ?? document.body);
