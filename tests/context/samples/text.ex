defmodule Tea.Pot do
  @limit 3

  def pour(cup) do
    cup
  end

  defp strain(cup), do: cup
end

# class of service
The class action of the house.
function of time is not code
message Cup {
  string name = 1;
}

pub fn steep(leaf: Leaf) Tea {
    return brew(leaf);
}

static int boil(int degrees)
{
    return degrees;
}

sub drain {
    1;
}

fill <- function(x) {
  x
}

resource "aws_pot" "main" {
  size = 1
}
