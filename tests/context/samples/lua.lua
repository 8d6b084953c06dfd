local leaf = require("tea.leaf")
local water = require "tea.water"

local LIMIT = 3
MOST = 10

local Pot = {
  size = 1,
  warm = function(self)
    return heat(self)
  end,
}

function Pot.new(size)
  return setmetatable({ size = size }, Pot)
end

function Pot:pour(cup)
  water.boil(cup)
  cup:fill(LIMIT)
  return cup
end

local function steep(leaf)
  return brew(leaf)
end

local strain = function(cup)
  return cup
end

Pot.empty = function()
end

Pot.sizes = {}
vim.g.pots = 1

return Pot
