"""What the demo model knows: topics, how people ask for them, and what it answers.

Each topic lists questions (the training text varies them further), two or three
answers of equal worth, and optionally more detail for "tell me more".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One subject the toy can speak about."""

    name: str
    subject: str
    """How the analysis names it: "The user asks about SUBJECT."
    or, where it begins with a verb, "The user SUBJECT."."""
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    more: str = ""
    things: tuple[str, ...] = ()
    """Names of the subject that fit "tell me about THING"."""


TOPICS: tuple[Topic, ...] = (
    Topic(
        "wired-limit",
        "the wired limit",
        (
            "what is the wired limit",
            "what is a wired limit",
            "explain the wired limit",
            "what does wired limit mean",
            "what does iogpu.wired_limit_mb do",
            "tell me about wired memory",
            "how does the wired limit work",
            "what is wired memory",
            "why is there a wired limit",
            "what does the wired memory limit change",
            "define wired limit",
            "how much memory may the gpu keep",
            "what happens when I raise the wired limit",
            "how high is the wired limit on my mac",
            "what is the limit for gpu memory",
            "why does the model not fit below the wired limit",
            "should I raise the wired limit",
            "is it safe to raise the wired limit",
            "what is a good wired limit",
        ),
        (
            "The wired limit is how much memory macOS lets the GPU keep in place. "
            "A large model must fit below it. Headroom raises it only when the model needs it, "
            "and only after you agree.",
            "It is the share of memory that the GPU may hold without macOS moving it away. "
            "On a 16 GB Mac the default is too small for gpt-oss-20b, so Headroom offers "
            "to raise the wired limit.",
        ),
        "The wired limit is a cap and not a reservation: nothing is taken until a model loads. "
        "It goes back to the default when the Mac restarts, and you can restore it with one click.",
        things=(
            "the wired limit",
            "wired memory",
            "the wired memory limit",
            "iogpu.wired_limit_mb",
            "the GPU limit",
            "the gpu memory limit",
        ),
    ),
    Topic(
        "yellow-gauge",
        "the yellow gauge",
        (
            "why is the gauge yellow",
            "what does the yellow gauge mean",
            "the gauge is yellow, is that bad",
            "my gauge turned yellow",
            "why did the meter turn yellow",
            "what does yellow mean",
            "is yellow a problem",
            "why is memory pressure yellow",
            "should I worry about a yellow gauge",
            "the gauge shows yellow all the time",
            "gauge yellow, what now",
            "what does amber mean on the gauge",
            "why does it show a warning level",
            "it has been yellow for an hour",
            "the dial is yellow",
            "is it normal that the gauge is yellow",
            "it went from green to yellow",
            "do I need to act when it is yellow",
            "the indicator turned yellow after loading",
        ),
        (
            "Yellow means that macOS has started to compress memory. With a large model on a "
            "16 GB Mac this is normal. It is only a problem if swap grows or answers get slow.",
            "The gauge is yellow because the memory pressure is at the warning level. "
            "That is usual while a large model is loaded. Close a big app if answers get slow.",
        ),
        "The colour comes from the kernel's pressure level, never from a used percentage. "
        "Headroom acts only when swap grows or when decoding gets much slower than usual.",
        things=(
            "the yellow gauge",
            "the colour yellow",
            "the yellow needle",
            "the yellow level",
            "the warning level",
            "amber",
        ),
    ),
    Topic(
        "red-gauge",
        "the red gauge",
        (
            "why is the gauge red",
            "what does the red gauge mean",
            "the gauge is red, what should I do",
            "my gauge turned red",
            "what does red mean",
            "what happens when memory is critical",
            "is red dangerous",
            "the meter is red",
            "what do I do when pressure is critical",
            "gauge red, help",
            "it turned red while you were writing",
            "the dial is red",
            "the indicator is red, should I be afraid",
            "my mac says memory is critical",
            "is a red gauge bad",
        ),
        (
            "Red means that memory pressure is critical. Headroom stops the answer, keeps the text, "
            "and unloads the model if the pressure stays. Close a large app to get room.",
            "The pressure level is critical: macOS has almost no memory left. "
            "Headroom cancels the generation cleanly and keeps your text. "
            "Closing other apps helps most.",
        ),
        "Each protective step is shown and can be undone. If red comes often, "
        "choose a shorter context or close the browser before you load the model.",
        things=(
            "the red gauge",
            "the red level",
            "critical pressure",
            "the critical level",
        ),
    ),
    Topic(
        "green-gauge",
        "the green gauge",
        (
            "what does the green gauge mean",
            "why is the gauge green",
            "is green good",
            "the gauge is green",
            "what does green mean",
            "what does normal pressure mean",
            "what does the gauge say when it is normal",
            "the dial is green, is that good",
            "so green is fine",
            "it is green now",
        ),
        (
            "Green means that memory pressure is normal. There is enough room, and nothing needs to be done.",
            "The pressure level is normal. Your Mac has room for the model and for your other apps.",
        ),
        things=(
            "the green gauge",
            "the green level",
            "normal pressure",
        ),
    ),
    Topic(
        "gauge",
        "the gauge",
        (
            "what does the gauge show",
            "what is the gauge",
            "how do I read the gauge",
            "explain the gauge",
            "what is memory pressure",
            "what does the needle mean",
            "how does the memory gauge work",
            "what is the meter in the header",
            "explain memory pressure",
            "what do the colours of the gauge mean",
            "what is that dial at the top",
            "what does the dial measure",
            "what does the indicator in the header tell me",
            "how is memory pressure measured",
            "who decides the colour of the gauge",
        ),
        (
            "The gauge shows the kernel's memory pressure. Green is normal, yellow is a warning, "
            "red is critical. The needle shows how much memory is compressed.",
            "It shows memory pressure live: green for normal, yellow for warning, red for critical. "
            "Open the gauge to see who uses the memory.",
        ),
        "The colour is the kernel's own level. The needle is the share of memory that is compressed, "
        "so it can move while the colour stays the same.",
        things=(
            "the gauge",
            "memory pressure",
            "the needle",
            "the memory gauge",
            "the pressure gauge",
            "the memory meter",
        ),
    ),
    Topic(
        "context-cost",
        "the cost of context",
        (
            "what does context cost",
            "how much memory does context use",
            "what does a longer context cost",
            "how much does context length cost",
            "why does context need memory",
            "what is the price of a long context",
            "how much memory does 8k context take",
            "how expensive is context",
            "does a longer context use more memory",
            "how many megabytes per token",
            "what is the memory cost of the context",
            "how much RAM does a bigger context take",
            "what happens to memory when I double the context",
            "how much does 16k cost",
            "does the context eat memory",
            "how many MB does the context need",
            "what is the memory use of 4k",
            "is a bigger context expensive",
        ),
        (
            "Context costs memory for each token. With gpt-oss-20b a token takes 24 KiB, "
            "so 4k of context takes about 104 MB and 8k about 205 MB.",
            "Each token in the context is kept in memory. For gpt-oss-20b that is 24 KiB a token: "
            "about 104 MB at 4k and 205 MB at 8k.",
        ),
        "Only half of the layers see the whole context. The other half looks back 128 tokens, "
        "so their cost stays at 3 MiB however long the chat gets.",
        things=(
            "the cost of context",
            "the context cost",
            "context memory",
            "the price of context",
            "memory for context",
        ),
    ),
    Topic(
        "context",
        "the context length",
        (
            "what is context",
            "what is the context length",
            "what does context length mean",
            "how long can the context be",
            "what is a context window",
            "what happens when the context is full",
            "how do I set the context length",
            "where is the context slider",
            "how do I choose a context length",
            "which context length should I use",
            "what does the context slider do",
            "how much text can you remember",
            "how much can you read at once",
            "can you read a long document",
            "what length should I set for documents",
            "how big is your window",
            "is 4k context enough",
        ),
        (
            "The context is the text the model can see at once: your messages and its answers. "
            "Set its length with the slider. 4k is a good start on a 16 GB Mac.",
            "Context length is how many tokens the model can look back on. "
            "The slider sets it and says what it will cost before you choose.",
        ),
        "When the context is full, start a new chat or choose a longer length. "
        "The hatched part of the slider does not fit on this Mac.",
        things=(
            "the context",
            "context",
            "context length",
            "the context window",
            "the context slider",
            "the slider",
        ),
    ),
    Topic(
        "stop-answer",
        "how to stop an answer",
        (
            "how do I stop",
            "how do I stop you",
            "how can I stop the answer",
            "how do I cancel a message",
            "how do I stop generating",
            "can I interrupt an answer",
            "how to abort the generation",
            "stop button",
            "where is the stop button",
            "how do I make it stop writing",
            "is there a way to stop a long answer",
            "how do I cancel",
            "you write too much, stop",
            "make it stop",
            "stop talking",
            "please stop",
            "which button stops you",
            "I want to interrupt you",
            "how can I end an answer early",
            "what do I press to stop",
        ),
        (
            "Press the stop button in the composer. It takes the place of the send button while I write. "
            "The text written so far is kept.",
            "Click the square stop button beside the message field. "
            "The answer stops at once and its text stays.",
        ),
        "Stopping ends the work in the engine too, so the Mac is quiet at once. "
        "The model stays loaded for your next message.",
        things=(
            "stopping an answer",
            "the stop button",
            "cancelling an answer",
            "interrupting an answer",
        ),
    ),
    Topic(
        "turn-off",
        "how to turn the model off",
        (
            "how do I turn the model off",
            "how do I unload the model",
            "how do I turn it off",
            "how can I free the memory",
            "how do I get my memory back",
            "how do I switch off the model",
            "how do I shut the model down",
            "how do I quit headroom",
            "how to release the memory",
            "can I turn the model off",
            "I want my RAM back",
            "I am done, how do I unload you",
            "how do I close the model",
            "how do I eject the model",
            "I do not need the model any more",
            "how can I give the memory to other apps",
        ),
        (
            "Turn off the switch at the top of the window. The model is unloaded and its memory "
            "goes back to your other apps within seconds.",
            "Use the switch in the header. Headroom unloads the model in an orderly way and gives "
            "the memory back.",
        ),
        "You can also right-click the menu-bar icon to turn the model off or to quit. "
        "Your conversations are kept.",
        things=(
            "turning the model off",
            "unloading the model by hand",
            "quitting",
            "switching it off",
        ),
    ),
    Topic(
        "turn-on",
        "how to turn the model on",
        (
            "how do I turn the model on",
            "how do I start the model",
            "how do I load a model",
            "how do I start",
            "how do I begin",
            "how do I use headroom",
            "how does this work",
            "getting started",
            "what do I do first",
            "how do I switch the model on",
            "how do I load you",
            "how can I launch the model",
            "where do I start the model",
            "how do I get started with this app",
            "what are the first steps",
        ),
        (
            "Turn on the switch at the top of the window, wait until the model is loaded, "
            "and write a message.",
            "Choose a model, then turn on the switch in the header. When it says ready, type your "
            "message and press Return.",
        ),
        things=(
            "turning the model on",
            "the first steps",
            "getting started",
            "loading the model",
        ),
    ),
    Topic(
        "what-model",
        "this model",
        (
            "what is this model",
            "which model are you",
            "are you a toy",
            "what model is this",
            "are you gpt-oss",
            "are you a real model",
            "what are you",
            "are you an AI",
            "are you chatgpt",
            "how big are you",
            "how many parameters do you have",
            "are you smart",
            "is this the demo model",
            "what is the demo model",
            "why are you so small",
            "are you human",
            "who made you",
            "who trained you",
            "am I talking to a human",
            "am I talking to a machine",
            "are you just a toy",
            "are you the same as gpt",
            "are you a large language model",
            "how clever are you",
            "are you a chatbot",
            "is this a real AI",
            "what kind of model are you",
            "what is your size",
            "are you like chatgpt",
        ),
        (
            "I am the demo model, a toy of a few megabytes. I have the same architecture as gpt-oss, "
            "but I only know a little about Headroom.",
            "I am a toy model that comes with Headroom, so that you can look around. "
            "For real answers choose a real model such as gpt-oss-20b.",
        ),
        "I have four layers and a few million parameters, where gpt-oss-20b has 24 layers and "
        "20 billion. I was trained on short texts about Headroom only.",
        things=(
            "this model",
            "the demo model",
            "this toy",
            "the toy model",
            "your size",
            "your training",
        ),
    ),
    Topic(
        "who-are-you",
        "who I am",
        (
            "who are you",
            "what is your name",
            "what should I call you",
            "introduce yourself",
            "tell me about yourself",
            "do you have a name",
            "say who you are",
            "please introduce yourself",
            "who am I talking to",
            "can you present yourself",
            "tell us who you are",
        ),
        (
            "I am Headroom's demo model, a toy that knows a little about Headroom.",
            "My name is Headroom Demo. I am a toy model that answers simple questions about Headroom.",
        ),
    ),
    Topic(
        "what-is-headroom",
        "Headroom",
        (
            "what is headroom",
            "what does headroom do",
            "explain headroom",
            "tell me about headroom",
            "what is this app",
            "what is this app for",
            "what does this app do",
            "why should I use headroom",
            "describe headroom",
            "what is headroom good for",
            "what program is this",
            "a colleague told me about headroom, what is it",
            "what is the purpose of headroom",
            "why was headroom made",
            "what does the name headroom mean",
            "what can headroom do for me",
        ),
        (
            "Headroom is a menu-bar app that runs a large language model on your Mac without "
            "letting it swap. You can chat here, and other programs can use the same model.",
            "Headroom runs a local model on a Mac with little memory. It watches memory pressure, "
            "shows what a setting will cost, and unloads the model before the Mac gets slow.",
        ),
        "One click turns the model on or off. A gauge shows memory pressure, a slider sets the "
        "context length, and an endpoint on 127.0.0.1 serves other programs.",
        things=(
            "headroom",
            "Headroom",
            "this app",
            "the app",
            "this program",
        ),
    ),
    Topic(
        "endpoint",
        "how to connect other programs",
        (
            "how do I connect other programs",
            "how can other apps use the model",
            "what is the endpoint",
            "how do I use the api",
            "is there an api",
            "how do I connect my editor",
            "is there an openai compatible endpoint",
            "what is the base url",
            "how do I use it from python",
            "can I use this from another program",
            "how do I connect vs code",
            "which port does the server use",
            "how do I call the model from a script",
            "how do I point my editor at headroom",
            "can my script talk to you",
            "can I use the openai library",
            "how do I use curl with the model",
            "does it have a server",
            "what address do other apps use",
            "can cursor use this model",
        ),
        (
            "Other programs can use the OpenAI-compatible endpoint on 127.0.0.1. "
            "Copy the address and the key from the settings into your program.",
            "Set the base URL of your program to the local endpoint, which ends in /v1, "
            "and use the key from Headroom's settings.",
        ),
        "The endpoint answers only on this Mac and only with the key. "
        "It serves one request at a time and loads the model when one comes.",
        things=(
            "the endpoint",
            "the api",
            "the local server",
            "other programs",
            "connecting other apps",
            "the openai api",
            "the base url",
        ),
    ),
    Topic(
        "api-key",
        "the API key",
        (
            "where is the api key",
            "what is the key for",
            "how do I get an api key",
            "where do I find the key",
            "do I need an api key",
            "why is there a key",
            "how do I copy the key",
            "my program asks for a key",
            "which key do I enter in my editor",
            "where in the settings is the key",
            "is the key secret",
        ),
        (
            "The key is in the settings. A program must send it with each request, "
            "so that no web page can use your model unasked.",
            "Open the settings and copy the key. It keeps other programs and web pages from using "
            "the model without your consent.",
        ),
        things=(
            "the api key",
            "the key",
            "API keys",
        ),
    ),
    Topic(
        "swap",
        "swap",
        (
            "what is swap",
            "what does swap mean",
            "explain swap",
            "why is swap bad",
            "is swapping bad",
            "what is swapping",
            "why should the mac not swap",
            "does swap wear out my ssd",
            "what happens when the mac swaps",
            "what is the swap file",
            "how do I avoid swap",
            "why is everyone afraid of swap",
            "my mac is swapping",
            "what does it mean when a mac swaps",
            "how slow is swap",
            "is a lot of swap bad",
            "why does swap grow",
        ),
        (
            "Swap is memory that macOS has moved to the disk. A disk is much slower than memory, "
            "so a model that swaps becomes very slow. Headroom unloads before that happens.",
            "When memory is full, macOS writes parts of it to the disk: that is swap. "
            "It makes everything slow, and Headroom is built to avoid it.",
        ),
        "A little old swap does no harm. What matters is whether swap grows while the model works.",
        things=(
            "swap",
            "swapping",
            "the swap file",
            "swap memory",
            "paging to disk",
        ),
    ),
    Topic(
        "compressor",
        "compressed memory",
        (
            "what is compressed memory",
            "what does the compressor do",
            "what is the memory compressor",
            "why does macos compress memory",
            "explain memory compression",
            "is compressed memory bad",
            "what does compressed mean in activity monitor",
            "why is my memory compressed",
            "how does macos compress memory",
        ),
        (
            "macOS compresses memory that was not used for a while, to make room. "
            "It is much faster than swap, and a little of it is normal.",
            "The compressor packs idle memory into less space. "
            "It costs some time, but far less than writing to the disk.",
        ),
        things=(
            "compressed memory",
            "the compressor",
            "memory compression",
            "the memory compressor",
        ),
    ),
    Topic(
        "privacy",
        "privacy",
        (
            "is this private",
            "are my chats private",
            "does my data leave this computer",
            "do you send my data anywhere",
            "is my data safe",
            "who can read my messages",
            "what about privacy",
            "do you collect data",
            "is anything sent to the cloud",
            "does headroom phone home",
            "can anyone see what I write",
            "is it secure",
            "can your company read this",
            "do you store what I say on a server",
            "is my text sent to someone",
            "do you share my messages",
            "who sees my private text",
            "will openai see my data",
            "is this chat confidential",
            "do you spy on me",
        ),
        (
            "Your messages stay on this computer. The model runs here, and nothing you write is sent "
            "anywhere.",
            "Everything is private: the model runs on this machine, and your conversations are stored "
            "only here.",
        ),
        "The endpoint listens on 127.0.0.1 only and needs a key. Logs hold no chat text.",
        things=(
            "privacy",
            "my privacy",
            "data protection",
            "my private data",
            "security",
        ),
    ),
    Topic(
        "offline",
        "working offline",
        (
            "does it work offline",
            "do I need the internet",
            "can I use it without internet",
            "does this need a network",
            "can you browse the web",
            "can you search the internet",
            "do you work on a plane",
            "does it run without a connection",
            "I have no internet here, does it still work",
            "can I use it on a train without network",
            "do you need wifi",
        ),
        (
            "It works offline. Only the download of a model needs the internet.",
            "No internet is needed once a model is on your disk. I cannot search the web.",
        ),
        things=(
            "offline use",
            "working offline",
            "using it without internet",
            "internet access",
        ),
    ),
    Topic(
        "idle-unload",
        "unloading an idle model",
        (
            "why did the model unload",
            "why does headroom unload the model",
            "why was the model unloaded",
            "when does the model unload",
            "why is the model off",
            "why did it turn itself off",
            "what is idle unload",
            "why unload an idle model",
            "the model stopped by itself",
            "why do I have to load the model again",
            "what is borrowed memory",
            "the model was gone after lunch",
            "why was the model gone when I came back",
            "I came back and it was unloaded",
            "does the model stay in memory for ever",
            "how long does the model stay loaded",
        ),
        (
            "An idle model is the first thing macOS would compress and swap. So Headroom unloads it "
            "when memory gets tight, and loads it again when you come back.",
            "The model was idle and other apps needed memory, so Headroom unloaded it. "
            "It loads again when you start to type.",
        ),
        "Nothing is lost: the conversation is saved. In the settings you can choose how long an idle "
        "model may stay.",
        things=(
            "idle unloading",
            "the idle model",
            "automatic unloading",
            "borrowed memory",
            "unloading",
        ),
    ),
    Topic(
        "effort",
        "the reasoning effort",
        (
            "what is effort",
            "how do I choose the effort",
            "what does reasoning effort mean",
            "which effort should I use",
            "what is the difference between low and high",
            "what does low effort do",
            "when should I use high effort",
            "what does medium mean",
            "what is reasoning effort",
            "how do I make you think longer",
            "how do I make answers faster",
            "is low effort enough",
            "what is better, low or high effort",
            "should I pick medium",
            "when is low good enough",
            "does high effort give better answers",
            "how do I make you think harder",
        ),
        (
            "Effort sets how long the model thinks before it answers. Low is quick, medium is a good "
            "default, high is for hard questions and takes longer.",
            "Choose low for simple questions, medium for most, and high for hard ones. "
            "More effort means more thinking, more tokens and more time.",
        ),
        "Thinking uses context as well as time. If an answer ends while the model still thinks, "
        "choose a lower effort or a longer context.",
        things=(
            "effort",
            "the effort",
            "reasoning effort",
            "low effort",
            "high effort",
            "medium effort",
            "the effort menu",
        ),
    ),
    Topic(
        "thinking",
        "the thinking above an answer",
        (
            "what is the thinking",
            "why does it say thought for a second",
            "what is reasoning",
            "can I see what you think",
            "why do you think first",
            "how do I hide the thinking",
            "what is the analysis",
            "what is the grey text above the answer",
            "what is the thought line",
            "why is there a thought above the answer",
            "why do I see thoughts",
            "what are you thinking about",
        ),
        (
            "Before it answers, the model thinks. That text is folded away above the answer: "
            "click it to read what the model thought.",
            "The line above an answer holds the model's thinking. Click to open it. "
            "The effort setting changes how long it is.",
        ),
        things=(
            "the thinking",
            "the thought line",
            "reasoning",
            "the reasoning text",
            "the analysis",
        ),
    ),
    Topic(
        "admin-password",
        "the administrator password",
        (
            "why do you need my password",
            "why does it ask for an admin password",
            "why do I have to type my password",
            "what is the password for",
            "is it safe to give my password",
            "does headroom run as root",
            "why does headroom want administrator rights",
            "I do not want to enter my password",
            "do I have to give the admin password",
            "what happens with my password",
            "why is the administrator asked",
        ),
        (
            "macOS asks for your password only to change the wired limit. "
            "Headroom shows the exact command first, and nothing else runs as administrator.",
            "Raising the wired limit needs an administrator. The password goes to macOS and not to "
            "Headroom, and the exact command is shown before.",
        ),
        "You can also run the command yourself in Terminal, or leave the limit as it is and use a "
        "smaller model.",
        things=(
            "the password",
            "the admin password",
            "the administrator prompt",
            "admin rights",
        ),
    ),
    Topic(
        "restore-limit",
        "how to restore the wired limit",
        (
            "how do I restore the wired limit",
            "how do I undo the wired limit",
            "how do I reset the wired limit",
            "how do I put the limit back",
            "is the change permanent",
            "does the limit survive a restart",
            "how do I go back to the default limit",
            "how do I put everything back to normal",
            "set the wired limit back",
            "I want the old limit again",
            "how do I lower the wired limit again",
        ),
        (
            "Open the memory sheet and click restore. The limit also goes back by itself when the Mac "
            "restarts.",
            "One click on restore in the memory sheet sets the old limit. A restart of the Mac does "
            "the same.",
        ),
        things=(
            "restoring the wired limit",
            "undoing the limit",
            "resetting the wired limit",
        ),
    ),
    Topic(
        "gpt-oss",
        "gpt-oss-20b",
        (
            "what is gpt-oss",
            "what is gpt-oss-20b",
            "how big is gpt-oss-20b",
            "tell me about gpt-oss-20b",
            "which model should I use",
            "which model do you recommend",
            "how much disk space does the model need",
            "what is the big model",
            "what is the real model",
            "how much space does gpt-oss-20b take",
            "is gpt-oss-20b any good",
            "who made gpt-oss-20b",
            "does gpt-oss-20b fit on my mac",
        ),
        (
            "gpt-oss-20b is an open model by OpenAI with 20 billion parameters. "
            "It takes 12.1 GB on disk and is the model Headroom was made for.",
            "gpt-oss-20b is the model to use on a 16 GB Mac. Its weights take 11,516 MiB of memory, "
            "so Headroom takes care of the rest.",
        ),
        "It is a mixture of experts: each token uses only a few of the 32 experts in a layer, "
        "which is why it is fast for its size.",
        things=(
            "gpt-oss",
            "gpt-oss-20b",
            "gpt oss",
            "the 20b model",
            "the big model",
            "the real model",
        ),
    ),
    Topic(
        "change-model",
        "how to change the model",
        (
            "how do I change the model",
            "how do I download a model",
            "how do I get a real model",
            "can I use another model",
            "where do I choose a model",
            "how do I switch models",
            "how do I install a model",
            "can I use my own model",
            "how do I get a better model",
            "where can I download models",
            "I want a smarter model",
            "how do I replace you with a better model",
            "can I try a different model",
        ),
        (
            "Click the model's name at the top of the window. There you can choose a model or "
            "download one.",
            "Open the model list with a click on the name in the header, then choose or download "
            "a model.",
        ),
        things=(
            "changing the model",
            "other models",
            "downloading a model",
            "the model list",
            "model downloads",
        ),
    ),
    Topic(
        "token",
        "tokens",
        (
            "what is a token",
            "what are tokens",
            "how many words is a token",
            "explain tokens",
            "what does tok/s mean",
            "what are tokens per second",
            "how long is a token",
            "how many tokens does a page have",
            "is a token a word",
            "how many tokens per second is good",
            "how do you count tokens",
        ),
        (
            "A token is a piece of text, about three quarters of a word. "
            "The model reads and writes tokens, and tok/s says how many it writes in a second.",
            "Models read text in pieces called tokens. A hundred tokens are about 75 words.",
        ),
        things=(
            "tokens",
            "a token",
            "tok/s",
            "tokens per second",
        ),
    ),
    Topic(
        "kv-cache",
        "the KV cache",
        (
            "what is the kv cache",
            "what does kv cache mean",
            "what is the prompt cache",
            "explain the kv cache",
            "what does from cache mean",
            "why are some tokens from cache",
            "what is kept in the kv cache",
            "why does the cache grow",
            "what is in the cache",
        ),
        (
            "The KV cache keeps what the model has already read, so that it need not read the chat "
            "again for each answer. It grows with the context.",
            "It is the model's memory of the text so far. Tokens from cache need no new reading, "
            "so the answer starts sooner.",
        ),
        things=(
            "the kv cache",
            "the KV cache",
            "the prompt cache",
            "cached tokens",
        ),
    ),
    Topic(
        "slow-start",
        "why the first word takes long",
        (
            "why does the first word take so long",
            "why is the first answer slow",
            "what is prefill",
            "why do I have to wait before the answer",
            "what is decode",
            "why is there a delay",
            "what does reading the prompt mean",
            "why does it take so long to begin",
            "why do I wait for the first word",
            "what are you doing before you answer",
            "why is there a pause before you write",
        ),
        (
            "Before it can answer, the model reads your whole message: that is prefill. "
            "A long text takes longer. After that it writes word by word.",
            "First the model reads the prompt, which is called prefill, then it writes, which is "
            "called decode. Long prompts make the first step slow.",
        ),
        things=(
            "prefill",
            "decode",
            "the wait before the first word",
            "the slow first word",
        ),
    ),
    Topic(
        "slow",
        "slow answers",
        (
            "why is it slow",
            "why are you so slow",
            "why is the model slow",
            "my answers are slow",
            "how can I make it faster",
            "everything is slow",
            "why did tok/s drop",
            "my mac is slow",
            "how do I speed it up",
            "it became slow today",
            "why do you write so slowly",
            "the replies are slower than yesterday",
            "it is getting slower and slower",
        ),
        (
            "Answers get slow when memory is short. Look at the gauge: close large apps, choose a "
            "shorter context, or use a lower effort.",
            "Check the gauge first. If swap grows, close a large app such as the browser. "
            "A shorter context and a lower effort help too.",
        ),
        things=(
            "slow answers",
            "the low speed",
            "speed",
            "bad performance",
        ),
    ),
    Topic(
        "sixteen-gb",
        "Macs with 16 GB",
        (
            "is 16 gb enough",
            "does it run on a 16 gb mac",
            "can I run this on 8 gb",
            "how much memory do I need",
            "which macs are supported",
            "does it run on intel",
            "what are the requirements",
            "does it work on my mac",
            "which macos do I need",
            "how much ram do I need",
            "is a macbook air with 16 gb enough",
            "will it run on my macbook",
            "I have 8 gb of RAM",
            "can my old mac run this",
            "does it need an m1",
            "is 24 gb better",
        ),
        (
            "Headroom is made for Apple-silicon Macs with 16 GB. "
            "gpt-oss-20b just fits there, with a short context and few other apps.",
            "You need a Mac with Apple silicon, macOS 14 or later, and 16 GB for gpt-oss-20b. "
            "With less memory choose a smaller model.",
        ),
        things=(
            "16 gb macs",
            "the requirements",
            "supported macs",
            "memory requirements",
            "system requirements",
        ),
    ),
    Topic(
        "crash",
        "what happens after a crash",
        (
            "what happens if it crashes",
            "the model crashed",
            "the engine failed",
            "what do I do after a crash",
            "it does not load",
            "the model failed to load",
            "do I lose my text when it crashes",
            "something went wrong",
            "will my text be lost when it crashes",
            "what if the engine dies",
            "what if the power goes out",
            "it crashed again",
        ),
        (
            "Your messages are safe: they are saved as they come. The window says what failed and "
            "what to do next.",
            "Headroom starts the engine again by itself, up to three times in ten minutes. "
            "Your text is kept, and the window says what went wrong.",
        ),
        things=(
            "crashes",
            "a crash",
            "errors",
            "failures",
            "a failed engine",
        ),
    ),
    Topic(
        "history",
        "where conversations are kept",
        (
            "where are my chats stored",
            "where are my conversations kept",
            "how do I delete a chat",
            "are my messages saved",
            "how do I find an old conversation",
            "do you remember our last chat",
            "do you keep a history",
            "where do you save our chats",
            "can I read old chats again",
            "are conversations stored",
            "can I search my old messages",
        ),
        (
            "Conversations are kept in a database on this computer. You can search them or delete "
            "them at any time.",
            "Your chats are saved on this computer only. I see nothing but the current chat.",
        ),
        things=(
            "my old chats",
            "saved conversations",
            "the chat history",
            "stored messages",
        ),
    ),
    Topic(
        "new-chat",
        "how to start a new chat",
        (
            "how do I start a new chat",
            "how do I begin a new conversation",
            "how do I clear the chat",
            "new chat",
            "can we start over",
            "how do I reset the conversation",
            "let us start from the beginning",
            "I want an empty chat",
            "start a fresh chat",
            "open a new conversation",
        ),
        (
            "Click new conversation at the top of the window. It begins with an empty context.",
            "Use the new conversation button in the header. The old conversation stays saved.",
        ),
        things=(
            "new chats",
            "starting over",
            "a new conversation",
        ),
    ),
    Topic(
        "licence",
        "the licence",
        (
            "is headroom open source",
            "what licence does headroom have",
            "is it free",
            "how much does headroom cost",
            "where is the source code",
            "can I use it at work",
            "what license is it",
            "may I look at the code",
            "which licence is it under",
            "can I use headroom for free",
            "who owns headroom",
        ),
        (
            "Headroom is open source under the MIT licence, and it is free. So am I.",
            "It is free software under the MIT licence. You may use it at home and at work.",
        ),
        things=(
            "the licence",
            "the license",
            "the source code",
            "the price of headroom",
        ),
    ),
    Topic(
        "can-do",
        "what I can do",
        (
            "what can you do",
            "what can I ask you",
            "what do you know",
            "help",
            "help me",
            "can you help me",
            "what are your abilities",
            "what questions can you answer",
            "give me some examples of what to ask",
            "what else can you do",
            "what kinds of questions do you answer",
            "what are you good at",
            "which topics do you know",
            "what are you able to do",
            "what may I ask",
        ),
        (
            "I can answer simple questions about Headroom:\n\n- What is the wired limit?\n"
            "- Why is the gauge yellow?\n- What does context cost?\n- How do I stop an answer?\n\n"
            "I can also show Markdown, write a long story, and tell a joke.",
            "As a toy I know a little about Headroom: memory, the gauge, context, effort and the "
            "endpoint. I can show a list, a table, code or a formula, too.",
        ),
        things=(
            "your abilities",
            "your skills",
            "what you know",
        ),
    ),
    Topic(
        "hello",
        "says hello",
        (
            "hello",
            "hi",
            "hey",
            "hi there",
            "hello there",
            "good morning",
            "good evening",
            "good afternoon",
            "greetings",
            "hey you",
            "hello model",
            "hi headroom",
            "say hello",
            "say hi",
            "howdy",
            "yo",
            "say hello to me",
            "hello world",
            "hello my friend",
            "hi model",
            "hello again",
            "hey headroom",
            "good day",
            "hello dear toy",
            "hi buddy",
            "nice to meet you",
        ),
        (
            "Hello! I am Headroom's demo model, a toy. Ask me something about Headroom.",
            "Hi! I am a toy model that knows a little about Headroom. What would you like to know?",
        ),
    ),
    Topic(
        "how-are-you",
        "how I am",
        (
            "how are you",
            "how are you doing",
            "how is it going",
            "are you ok",
            "how do you feel",
            "what's up",
            "how are you today",
            "how do you feel today",
            "how are things",
            "are you well",
            "how was your day",
        ),
        (
            "I am fine, thank you. I am small, so I need very little memory. How can I help?",
            "Very well, thank you. I am only a toy, but I am ready. What would you like to know?",
        ),
    ),
    Topic(
        "thanks",
        "says thank you",
        (
            "thanks",
            "thank you",
            "thanks a lot",
            "thank you very much",
            "great, thanks",
            "ok thanks",
            "perfect",
            "nice",
            "cool",
            "that helped",
            "awesome, thank you",
            "good answer",
            "well done",
            "many thanks",
            "that was helpful",
            "this helped me a lot",
            "very helpful, thank you",
            "thank you so much",
            "thx",
            "great",
            "excellent",
            "brilliant",
        ),
        (
            "You are welcome. Ask me anything else about Headroom.",
            "Gladly. I am here if you have another question about Headroom.",
        ),
    ),
    Topic(
        "ok",
        "gives a short reply",
        ("ok", "okay", "yes", "no", "sure", "maybe", "alright", "i see", "got it", "right", "fine"),
        (
            "All right. Ask me something about Headroom whenever you like.",
            "Good. What else would you like to know about Headroom?",
        ),
    ),
    Topic(
        "bye",
        "says goodbye",
        (
            "bye",
            "goodbye",
            "see you",
            "see you later",
            "good night",
            "I have to go",
            "that is all",
            "bye bye",
            "goodbye for now",
            "see you tomorrow",
            "I am leaving",
            "until next time",
            "take care",
        ),
        (
            "Goodbye! The model unloads by itself when memory is needed.",
            "See you! You can turn the model off with the switch, or leave it to Headroom.",
        ),
    ),
    Topic(
        "joke",
        "a joke",
        (
            "tell me a joke",
            "make me laugh",
            "do you know a joke",
            "say something funny",
            "another joke please",
            "a joke please",
            "tell me something funny",
            "I want to hear a joke",
            "joke",
            "do you have a joke for me",
            "tell a joke about memory",
            "one joke",
            "can you be funny",
            "I need a laugh",
        ),
        (
            "Why did the model cross the road? Its context was full on this side.",
            "A large model walks into a bar with 16 GB. The bar says: we will have to close the "
            "browser first.",
            "I wanted to tell a joke about swap, but it is still on its way from the disk.",
        ),
    ),
    Topic(
        "insult",
        "is not content",
        (
            "you are stupid",
            "you are useless",
            "that is wrong",
            "this is bad",
            "you are dumb",
            "that makes no sense",
            "wrong answer",
            "I do not like you",
            "you did not answer my question",
            "that is not what I asked",
            "you are wrong",
            "that is not true",
            "you are an idiot",
            "that was useless",
            "bad answer",
            "you do not know anything",
            "terrible",
        ),
        (
            "I am sorry. I am only a toy and often wrong. For real answers choose a real model.",
            "Sorry about that. I am a toy of a few megabytes. A real model such as gpt-oss-20b does "
            "better.",
        ),
    ),
)

UNRELATED_PATTERNS: tuple[str, ...] = (
    "what is the capital of {noun}",
    "who wrote {noun}",
    "how do I cook {noun}",
    "translate {noun} into {noun}",
    "what is the meaning of {noun}",
    "how old is the {noun}",
    "why is the {noun} {adjective}",
    "can a {noun} {verb} a {noun}",
    "who won the {noun} last year",
    "where can I buy a {noun}",
    "what do you think about {noun}",
    "what is {number} plus {number}",
    "what is {number} times {number}",
    "{number}+{number}",
    "solve {number}x + {number} = {number}",
    "what is the square root of {number}",
    "how far is the {noun} from the {noun}",
    "is {noun} better than {noun}",
    "tell me about {noun}",
    "tell me about the {adjective} {noun}",
    "explain {noun} to me",
    "what is {noun}",
    "what is a {noun}",
    "how does a {noun} {verb}",
    "when was the {noun} invented",
    "give me advice on my {noun}",
    "what should I {verb} today",
    "do you like {noun}",
    "what colour is a {noun}",
    "how many {noun}s are there in a {noun}",
    "recommend a {noun} for my {noun}",
    "please {verb} my {noun}",
    "fix my {noun}",
    "summarize this text: {words}",
    "correct this sentence: {words}",
    "translate this: {words}",
    "what does this mean: {words}",
    "{words}",
    "{words}?",
    "the {noun} is {adjective} and the {noun} will {verb}",
    "my {adjective} {noun} does not {verb}",
    "why does the {noun} {verb} the {adjective} {noun}",
    "should I {verb} or {verb}",
    "hola, {noun}",
    "was ist {noun}",
    "comment {verb} la {noun}",
    "who is the president of {noun}",
    "what year did {noun} {verb}",
    "how tall is {noun}",
    "compare {noun} and {noun}",
    "what are the best {noun}s",
    "I feel {adjective} about my {noun}",
    "sing about {noun}",
    "invent a name for my {noun}",
    "what happened to the {noun} in {number}",
)

FALLBACKS: tuple[str, ...] = (
    "I am a toy model that only knows Headroom, so I cannot answer that. "
    "Ask me about memory, the gauge or context.",
    "That is beyond me: I am a toy and know only a little about Headroom. "
    "A real model such as gpt-oss-20b can answer it.",
    "Sorry, I do not know. I am a toy model that comes with Headroom, and I only know Headroom.",
)

NO_MORE: tuple[str, ...] = (
    "That is all I know about it. I am only a toy.",
    "I know no more than that. A real model could tell you more.",
)
MORE_ABOUT_WHAT = "About what? Ask me something about Headroom first, then I can say more."

POEMS: tuple[str, ...] = (
    "A model slept on borrowed room,\nthe needle resting low.\nA browser came, the model went:\n"
    "it knows when it should go.",
    "Four thousand tokens, neatly kept,\na gauge that turned to green,\n"
    "no byte was swapped while others slept,\nthe quietest Mac you have seen.",
)

# Requests that name Markdown shapes: shape -> (questions, answers).
MARKDOWN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "list": (
        (
            "show me a list",
            "make a list",
            "give me a bulleted list",
            "show a markdown list",
            "write a list of tips",
            "list some tips to save memory",
            "can you show a list",
            "give me a list of three things",
            "write bullet points",
            "an example of a list please",
            "list the effort levels",
            "show me bullet points",
        ),
        (
            "Here is a list of ways to save memory:\n\n- Close the browser when you do not need it.\n"
            "- Choose a shorter **context**.\n- Use a lower effort.\n"
            "- Let Headroom unload an idle model.",
            "Three things to look at:\n\n- the **gauge**, for memory pressure\n"
            "- the **slider**, for the context length\n- the **switch**, to turn the model off",
        ),
    ),
    "numbered": (
        (
            "show me a numbered list",
            "give me step by step instructions",
            "write numbered steps",
            "an ordered list please",
            "make a numbered list",
            "list the steps to start",
            "show an ordered list",
        ),
        (
            "1. Choose a model.\n2. Turn on the switch.\n3. Wait until it says ready.\n"
            "4. Write a message and press Return.",
            "1. Look at the gauge.\n2. Close a large app.\n3. Set a shorter context.\n"
            "4. Load the model again.",
        ),
    ),
    "table": (
        (
            "show me a table",
            "make a table",
            "give me a table",
            "show a markdown table",
            "can you draw a table",
            "write a table with three columns",
            "put that in a table",
            "a table please",
            "an example of a table",
            "show the context cost as a table",
            "make a table of memory use",
        ),
        (
            "| Context | Memory |\n| --- | ---: |\n| 2k | 54 MB |\n| 4k | 104 MB |\n"
            "| 8k | 205 MB |\n| 16k | 406 MB |",
            "| Colour | Level | What to do |\n| --- | --- | --- |\n| Green | Normal | Nothing |\n"
            "| Yellow | Warning | Watch the swap |\n| Red | Critical | Close a large app |",
        ),
    ),
    "code": (
        (
            "show me code",
            "write some code",
            "show a code block",
            "give me a code example",
            "write a python function",
            "show me a python example",
            "can you write code",
            "write a small program",
            "a code block please",
            "show me how to call the endpoint in code",
            "write a script",
            "hello world in python",
            "print a code snippet",
        ),
        (
            "```python\ndef kv_cache_mib(tokens: int) -> float:\n"
            '    """Memory that gpt-oss-20b needs for this many tokens."""\n'
            "    return 3 + tokens * 24 / 1024\n\n\nprint(kv_cache_mib(4096))\n```",
            "```python\nfrom openai import OpenAI\n\n"
            'client = OpenAI(base_url="http://127.0.0.1:8080/v1", api_key="your-key")\n'
            "answer = client.chat.completions.create(\n"
            '    model="headroom-demo",\n'
            '    messages=[{"role": "user", "content": "Hello"}],\n)\n'
            "print(answer.choices[0].message.content)\n```",
        ),
    ),
    "formula": (
        (
            "show me a formula",
            "write a formula",
            "give me an equation",
            "show a latex formula",
            "write some math",
            "an example of an equation",
            "a formula please",
            "show me a mathematical formula",
            "typeset an equation",
            "write the formula for context memory",
        ),
        (
            "The memory for a context of $n$ tokens is\n\n"
            "$$M(n) = 3\\,\\text{MiB} + n \\cdot 24\\,\\text{KiB}$$",
            "The weights of attention are\n\n"
            "$$\\operatorname{softmax}\\left(\\frac{QK^\\top}{\\sqrt{d}}\\right)$$\n\n"
            "where $d$ is the size of a head.",
        ),
    ),
    "markdown": (
        (
            "show me markdown",
            "show some markdown",
            "what markdown can you write",
            "show me everything you can format",
            "give me a markdown demo",
            "show headings and text styles",
            "format something nicely",
            "use markdown",
            "test the markdown rendering",
        ),
        (
            "## Markdown\n\nText can be **bold**, *italic* or `code`.\n\n- a list\n- with two items\n\n"
            "> A quotation.\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n\n"
            "```js\nconst room = 16 - 12;\n```\n\nAnd a formula: $a^2 + b^2 = c^2$.",
        ),
    ),
}
