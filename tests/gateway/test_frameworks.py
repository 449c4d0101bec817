"""Agents written with other people's frameworks run as they are; each is tried where it is installed.

The scripted model asks for the tool once and then says what the tool said.
"""

import json
from importlib.util import find_spec

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

SCRIPT = {
    "rules": [
        {
            "when": {"tool": "mileage", "turn": 0},
            "reply": {"tools": [{"name": "mileage", "arguments": {"car": "pinto"}}]},
        },
        {"when": {"tool_result": "23.5"}, "reply": {"text": "It goes 23.5 miles."}},
        {
            "when": {"turn": 0},
            "reply": {
                "text": "Thought: look it up.\n<code>\nfinal_answer(mileage('pinto'))\n</code>"
            },
        },
    ]
}

TOOL = '''
def mileage(car: str) -> float:
    """How far a car goes on a gallon.

    Args:
        car: Its name.
    """
    return {"pinto": 23.5}[car]
'''

FRAMEWORKS = {
    "agents": """
from agents import Agent, Runner, function_tool
cars = Agent(name="cars", instructions="Look it up.", tools=[function_tool(mileage)], model="default")
said = (await Runner.run(cars, "How far does a pinto go?")).final_output
""",
    "pydantic_ai": """
from pydantic_ai import Agent
cars = Agent("openai-chat:default", tools=[mileage])
said = (await cars.run("How far does a pinto go?")).output
""",
    "smolagents": """
from smolagents import CodeAgent, OpenAIServerModel, tool
import os
model = OpenAIServerModel("default", api_base=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
cars = CodeAgent(tools=[tool(mileage)], model=model, verbosity_level=0)
said = f"It goes {cars.run('How far does a pinto go?')} miles."
""",
    "langgraph": """
from typing import Annotated, TypedDict
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
class State(TypedDict):
    messages: Annotated[list, add_messages]
model = ChatOpenAI(model="default").bind_tools([mileage])
graph = StateGraph(State)
graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
graph.add_node("tools", ToolNode([mileage]))
graph.add_edge(START, "model")
graph.add_conditional_edges("model", tools_condition)
graph.add_edge("tools", "model")
said = graph.compile().invoke({"messages": [("user", "How far does a pinto go?")]})["messages"][-1].content
""",
    "openai": """
import json
from openai import OpenAI, pydantic_function_tool
from pydantic import BaseModel
class mileage_of(BaseModel):
    car: str
client, messages = OpenAI(), [{"role": "user", "content": "How far does a pinto go?"}]
tools = [pydantic_function_tool(mileage_of, name="mileage")]
asked = client.chat.completions.create(model="default", messages=messages, tools=tools)
[call] = asked.choices[0].message.tool_calls
found = mileage(**json.loads(call.function.arguments))
messages += [asked.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": str(found)}]
said = client.chat.completions.create(model="default", messages=messages).choices[0].message.content
""",
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_agent_of_that_framework_runs_unmodified(gateway, framework):
    if find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed: pip install 'agent-workbench[frameworks]'")
    name = f"with-{framework.replace('_', '-')}"
    source = "\n".join(
        [TOOL, FRAMEWORKS[framework], "from workbench import agent", "agent.result(said)"]
    )
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": "all-of-it",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    made = gateway.ask("POST", "/agents", {"agent_name": name, "notebook": notebook})
    assert made.status == 201, made.body
    kept = gateway.ask(
        "PUT",
        f"/agents/admin/{name}/files/model.script.json",
        json.dumps(SCRIPT).encode(),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert kept.status == 201

    run = gateway.wait(gateway.ask("POST", f"/agents/admin/{name}/runs", {"test": True}).json["id"])

    assert run["error"] is None
    assert run["result"] == "It goes 23.5 miles."
    assert run["usage"]["calls"] == (1 if framework == "smolagents" else 2)
