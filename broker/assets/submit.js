"use strict";
// Submits the one form of the page; its button does the same where scripts are off.
document.querySelector("form[data-submit]")?.submit();
